"""What a stack knows of kinds of layers."""
