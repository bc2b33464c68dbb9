"""Stands in for the loader alone: everything else is the project's own."""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)
