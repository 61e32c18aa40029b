"""The Amazon States Language: definitions, paths, templates, intrinsics; it knows nothing of the engine."""
