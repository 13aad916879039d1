"""The vehicle's side of the cable: sessions as machines, and the dialects that they speak. No I/O, no clock."""
