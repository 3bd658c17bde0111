"""One file, one provider. Each module offers its adapter as PROVIDER."""
