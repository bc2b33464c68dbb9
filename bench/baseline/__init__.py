"""What a competent tutorial would write with Flask, marshmallow, kafka-python and pymongo: the measure of the product.

Nothing here is slowed down on purpose, and nothing is there that a tutorial leaves out: no journal, no order of events
but that of arrival, no states published, no watermarks.
"""
