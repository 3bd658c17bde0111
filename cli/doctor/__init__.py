"""What `zap doctor` looks at.

findings   what a look can say
machine    this machine: Python, packages, ffmpeg, and room on a disk
processes  what an installation stands on, and who does its work: database, broker, workers, schedule
holdings   what it has: storage, room, settings, keys, prices
remote     the server behind ZAP_API_URL, as far as one sees it from outside
"""
