"""The plug-in for DAWs: its native source, and the Python side that plays it."""
