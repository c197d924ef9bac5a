"""What belongs to a file besides its sound: words, pictures, chunks, markers, cue sheets."""
