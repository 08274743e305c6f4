"""Legal requests: who asked by which right, what exactly was asked, and the signed package that answers it."""
