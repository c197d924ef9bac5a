"""The control protocol over ZeroMQ and OSC, its dispatch, keys and client."""
