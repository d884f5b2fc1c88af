"""Assignments: descriptions, the students' notebooks, what they hand in, and grades."""

from tl_widgets.assignments.task import Task, begin, points

__all__ = ["Task", "begin", "points"]
