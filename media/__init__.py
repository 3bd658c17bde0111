"""ffmpeg and PyAV behind plain functions: files in, files out, no database, no network."""
