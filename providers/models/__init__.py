"""Field maps of models, one TOML file a provider."""
