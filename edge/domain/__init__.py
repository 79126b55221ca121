"""Pure decisions: values in, values out. Nothing here does I/O, tells time, draws random numbers or logs."""
