"""Drivers of hardware, one for each device. They import nothing of each other, and nothing of ours but `hal`."""
