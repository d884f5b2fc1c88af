"""The exercises of notebooks 00 to 02, with replies to the answers that learners give."""

from __future__ import annotations

from tl_widgets.teaching.exercise import Exercise
from tl_widgets.teaching.judges import choice, few_images, layer_before_dense, number, small_network, three_parts

FIRST_EXERCISES: dict[str, Exercise] = {
    "00-a": Exercise(
        "Which model has to learn what an edge is from your photographs, and which one knows it already?",
        "Both lose something. But transfer with 5 photographs of each class is usually still ahead of scratch with all "
        "of them: it can already see, and only has to learn which of its features go with which class.",
        few_images,
        "In the Lab, set Images per class to 5, press Train both, wait, then run this cell again. The Lab's "
        "tab Runs shows the results of both runs.",
    ),
    "00-b": Exercise(
        "Imagine ten networks that are equally good. Why would one of them still look the best?",
        "The best of ten owes some of its score to luck with these test photographs. Choose by the validation images, "
        "and the test stays honest.",
        choice(
            "choosing",
            {
                "training": "You may train as many networks as you like. What must the test images not be used for?",
                "reporting": "Reporting a test accuracy is right, as long as nothing was decided by it. Was anything?",
            },
        ),
        "Which of the three steps uses the test images to decide something?",
    ),
    "01-a": Exercise(
        "How many batches of 50 are 100 pictures? Each batch is one step.",
        "Two steps for each epoch in place of seven. The same passes over the data, and far fewer steps to learn in.",
        number(
            40,
            {
                20: "That is the number of epochs. How many steps does each of them take?",
                2: "That is one epoch. There are 20.",
                140: "That is with batches of 16: seven steps for each epoch.",
                2_000: "The optimizer takes one step for each batch, not for each picture.",
                1_000: "That counts pictures. How many batches are they?",
            },
            "Divide the pictures by the size of a batch, then multiply by the number of epochs.",
        ),
        "100 pictures are two batches of 50. There are 20 epochs.",
    ),
    "01-b": Exercise(
        "Which images may a network see while it learns?",
        "The network learned the very images that it was tested on. 100% says only that it can memorize.",
        choice(
            "fit",
            {
                "compile": "It chooses loss and learning rate; there is nothing wrong with it. Which images are used?",
                "evaluate": "Testing on the test images is right, as long as they are new. Were they?",
            },
        ),
        "fit is where the weights change. Look at what it is given.",
    ),
    "01-c": Exercise(
        "Most of them should teach. But how sure can you be of a result from ten test images?",
        "Most images teach, and the rest are enough to tell a good model from a bad one.",
        three_parts,
        "For example 200 for training, 40 for validation and 60 for the test. Other numbers do, too.",
    ),
    "02-a": Exercise(
        "Each pooling halves both sides of the maps: 192, 96, … And how many maps are there at the end?",
        "24 × 24 places in each of 128 maps. The Dense layer after Flatten grows with them. A kernel has the same "
        "weights however many places it visits, so the convolutions stay as they are.",
        number(
            73_728,
            {
                128: "128 is the number of maps. Flatten keeps every place of each of them.",
                576: "24 × 24 is one map. There are 128 of them.",
                4_718_592: "That is without pooling, 192 × 192 × 128. Three poolings halve the sides three times.",
                294_912: "That is after two poolings. There are three.",
                8_192: "That is with pictures of 64 × 64 pixels. Here they are larger.",
            },
            "Three poolings halve 192 three times. Multiply the two sides by the number of maps.",
        ),
        "192 / 2 / 2 / 2 = 24 places along each side, and 128 maps.",
    ),
    "02-b": Exercise(
        "Keep blocks and filters as they are. Which layer holds most of the parameters, and what comes before it?",
        "One number for each map in place of all its places. 95,565: the printed network had as many.",
        small_network,
        "In the panel, look at Last feature maps. One of its choices keeps one number for each map.",
    ),
    "02-c": Exercise(
        "What comes out of MaxPooling2D, and what does Dense need to see the whole picture?",
        "Flatten puts the maps into one row. GlobalAveragePooling2D does as well, with far fewer weights after it.",
        layer_before_dense,
        "Two layers turn feature maps into one row of numbers. Both are in this notebook.",
    ),
}
