"""Signal processing on tensors: no files, no threads, no clocks. Each noun has a module of its own."""
