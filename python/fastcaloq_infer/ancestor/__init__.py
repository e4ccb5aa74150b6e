"""Configuration files of QC4HEP-BO/FastCaloQ, the prototype this project grew from, read as ours.

`files` says what such a JSON file may hold, `translate` what each key becomes here.
"""
