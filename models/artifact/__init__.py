"""A trained model as files: manifest, loading, self-test."""
