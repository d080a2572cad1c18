"""Reading and writing files of leads (CSV and XLSX): their columns, their cells and their limits."""
