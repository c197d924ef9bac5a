"""MIDI messages, ports, maps, bindings, learn and control surface."""
