"""As much of pip as downloading one wheel from a local folder needs; first on the path, it takes pip's place and a tenth of its time."""
