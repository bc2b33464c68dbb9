"""Notify: turns states into matters, matters into messages, and sees every message through to its receiver."""
