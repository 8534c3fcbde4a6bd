"""The REST resources under /api/v1, one file each: decode, call one verb, return its value."""
