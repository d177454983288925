"""What differs between providers: one module for each that is special."""
