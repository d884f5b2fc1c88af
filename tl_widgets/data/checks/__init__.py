"""What can be wrong with the images of a data set, found before anything is trained."""
