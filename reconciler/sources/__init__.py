"""Where manifests come from: git repositories and plain directories, read by content and never followed outside."""
