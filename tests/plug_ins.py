"""Packages as an installer leaves them: a module, and what stands in its metadata."""


def install(site, name, text, groups):
    """Put a package of one module, `plugged_<name>`, into the folder; `groups`: an entry point in each group."""
    (site / f"plugged_{name}.py").write_text(text)
    metadata = site / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("".join(f"[{group}]\n{line}\n" for group, line in groups.items()))
