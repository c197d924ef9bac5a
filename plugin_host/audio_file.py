"""Audio files as Highband reads them, for other programs: every format, up to its last sample or with one sentence.

>>> from plugin_host.audio_file import AudioReader
>>> with AudioReader(path) as reader:
...     for block in reader.blocks():
...         ...
"""

from plugin_host.files.audio_reader import AudioFileError, AudioReader

__all__ = ["AudioFileError", "AudioReader"]
