"""ISO 15118-2: charging by AC and DC, with plug and charge.

`msg_def` is the document, `msg_header` and `msg_body` what it holds; types are in `msg_data_types` and, by subject, in `data_*`.
"""
