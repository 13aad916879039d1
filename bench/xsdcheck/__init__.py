"""`python -m bench.xsdcheck FOLDER`: our declarations of the V2G messages against the XSDs in FOLDER.

ISO's XSDs may not be redistributed, so the declarations are ours and are compared with XSDs on the user's disk. `xsd` reads those, `ours` reads
the classes, both into the terms of `model`; `compare` tells every difference. Nothing is shared with the codec.
"""
