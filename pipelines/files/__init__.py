"""Where bytes lie: files on disk and on whatever file systems Beam has, and the folder that a job writes."""
