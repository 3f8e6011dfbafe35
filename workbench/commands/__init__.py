"""The commands of `qbs`, one module each. At import they bring their options, never the work behind them."""
