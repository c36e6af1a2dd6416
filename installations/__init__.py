"""Domain: manifests, configs, rules and the write pipeline. Pure."""
