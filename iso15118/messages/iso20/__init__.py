"""ISO 15118-20: one module for each schema, the common messages in several (`common_*`), Amendment 1 in `ac_der_*`.

All begin with `common_types`. A way of energy transfer has its own messages from charge parameters to the end of the charge loop; before
and after it the common ones are spoken.
"""
