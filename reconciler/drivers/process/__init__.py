"""The embedded engine: workloads are plain processes on this machine, and a folder per instance is the record.

A daemon that starts finds what runs by what is on disk and in ``/proc``; it inherits nothing and holds nothing that a
workload needs. ``driver.ProcessDriver`` is the way in; this file stays empty because the shim is run beside it.
"""
