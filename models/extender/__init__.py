"""The stage that plays: exciter, envelope, LTV filter and crossover."""
