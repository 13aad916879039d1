"""DIN SPEC 70121: charging by DC as the first cars speak it, plain TCP, payment outside of the session.

`msg_def` is the document, `msg_header` and `msg_body` what it holds; types are in `msg_data_types` and, by subject, in `data_*`.
"""
