"""What the manifests mean: expanded, resolved, engine-neutral, frozen. Pure."""
