"""The canteen: which plates are on the tray (and how sure), what they cost, what is in them, who paid."""
