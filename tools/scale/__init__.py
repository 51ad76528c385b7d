"""What a stack costs and where it bends, computed for docs/scale.md from what was measured."""
