"""The study of backbones: accuracy against what they cost."""
