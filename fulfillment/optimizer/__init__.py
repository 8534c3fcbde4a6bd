<<<<<<< HEAD
"""A pure island: a frozen problem in, a frozen plan out; it knows numpy and OR-Tools and nothing else of the house."""
=======
"""The pure island: a frozen Problem in, a frozen Plan out, with numpy and ortools only."""
>>>>>>> main
