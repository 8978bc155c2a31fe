"""Attacks on snnc: many small cases of many classes, each in a process of its own."""
