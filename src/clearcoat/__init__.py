"""Turn a product's CAD model into labelled images, train on them, and measure their worth."""

__version__ = "0.1.0"
