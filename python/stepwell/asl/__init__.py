"""The Amazon States Language: definitions, paths, templates, intrinsics; independent of the engine."""
