"""The exercises of the tutorial, with replies to the answers that learners give."""

from __future__ import annotations

from tl_widgets.teaching.exercise import Exercise
from tl_widgets.teaching.first_exercises import FIRST_EXERCISES
from tl_widgets.teaching.judges import (
    choice,
    last_layer,
    number,
    pareto_front,
    repaired_model,
    transfer_model,
    unfair_comparisons,
)
from tl_widgets.teaching.middle.exercises import MIDDLE_EXERCISES
from tl_widgets.teaching.trust.exercises import TRUST_EXERCISES

EXERCISES: dict[str, Exercise] = {
    **FIRST_EXERCISES,
    **MIDDLE_EXERCISES,
    **TRUST_EXERCISES,
    "04-a": Exercise(
        "The head is one Dense layer: 2,048 features in, 5 classes out. The backbone is frozen.",
        "2,048 weights for each of 5 classes, and 5 biases. All the rest is frozen.",
        number(
            10_245,
            {
                10_240: "Nearly: each of the 5 units also has a bias.",
                2_049: "That is one sigmoid unit, the head for two classes. Here there are five.",
                20_861_480: "That is the backbone, and it is frozen. How many parameters can still be learned?",
                20_871_725: "That is all of them. The backbone is frozen: how many can still be learned?",
            },
            "Count a Dense layer: inputs × units + units.",
        ),
    ),
    "04-b": Exercise(
        "Input, Rescaling, the frozen backbone without top, GlobalAveragePooling2D, Dense with softmax: in this order.",
        "5,124 parameters to learn, and everything else is frozen.",
        transfer_model,
    ),
    "04-c": Exercise(
        "There are three questions, and the answer to each can be yes whatever the others are.",
        "Three independent yes-or-no questions: three units, each with its own sigmoid.",
        last_layer,
    ),
    "05-a": Exercise(
        "Add up all that each model needed, then divide.",
        "12 s against 2.5 s: reading the features is part of the price.",
        number(
            4.8,
            {
                24: "That leaves out the 2.0 s for the features. Without them the head has nothing to learn from.",
                6: "That leaves out the 0.5 s for training the head.",
                0.208: "That's the wrong way around: transfer by scratch. How many times as long did scratch take?",
                9.5: "That is a difference in seconds. How many times as fast was it?",
            },
            "Divide the seconds of scratch by all the seconds of transfer, reading features included.",
        ),
    ),
    "05-b": Exercise(
        "Which two models differ in nothing but what the backbone learned before?",
        "Transfer and control have the same layers and the same head. Only the pretraining differs.",
        number(
            25,
            {
                10: "That is transfer against scratch. They differ in everything: layers, size, and pretraining.",
                15: "That is scratch against control. Neither of them is pretrained.",
                95: "That is the accuracy with pretraining. How much would be there without it?",
                -25: "The size is right, but the pretrained one is better, so the gain is positive.",
            },
            "Subtract the accuracy of the control from that of transfer.",
        ),
    ),
    "05-c": Exercise(
        "Ask of each: did both models get the same chances, and was the test kept out of all choices?",
        "Each of these gives one model something that the other did not get.",
        unfair_comparisons,
    ),
    "06-a": Exercise(
        "Read the report: how many images it read, which files it skipped, and which were copies.",
        "Broken files cannot be used, and a copy would count twice, or be in training and test at once.",
        number(
            90,
            {
                94: "That is every file in the folder. Three of them cannot be read as pictures, and one is a copy.",
                91: "One of these is a copy of another picture, and a picture is used only once.",
                93: "Only the copy is left out here. The files that aren't pictures can't be used, either.",
                60: "Those are the training and validation pictures. Those in test/ are used as well.",
            },
            "Print dataset.report.summary; the first sentence says it.",
        ),
    ),
    "06-b": Exercise(
        "One sigmoid unit gives the probability of the second class in class_names. What is left for the first?",
        "20 % for face leave 80 % for background.",
        choice(
            "background",
            {
                "face": "The 0.2 is the probability of face. Is that more or less than one half?",
                "0.2": "That is the number. Which class name follows from it?",
                "neither": "A classifier always answers. Which of its two classes is more probable?",
            },
        ),
    ),
    "06-c": Exercise(
        "Two photographs of one dog are nearly the same picture. What happens if one trains and the other tests?",
        "All photographs of one dog go to the same side, so the test shows dogs the model has never seen.",
        choice(
            "by dog",
            {
                "by photograph": "Then one dog trains and tests: the model can recognize the dog, not the breed.",
                "by breed": "Then the test holds breeds that were never trained, and the model can't know them.",
                "by date": "Photographs of one dog from two days would still be on both sides.",
            },
        ),
    ),
    "07-a": Exercise(
        "Both numbers of images stand at the same accuracy. Divide one by the other.",
        "32 against 4 at the same height of the figure: eight times the images.",
        number(
            8,
            {
                0.125: "That's the wrong way around: transfer by scratch. How many times as many does scratch need?",
                28: "That is the difference. How many *times* as many?",
                36: "That is the sum. How many times as many?",
            },
            "Divide the images that scratch needs by those that transfer needs.",
        ),
    ),
    "07-b": Exercise(
        "The length of the bar shrinks with the square root of the number of seeds.",
        "Half the length takes four times the seeds. That is why intervals are expensive.",
        number(
            80,
            {
                40: "Twice the seeds shorten the bar only by the square root of 2, to about 2.8 points.",
                10: "Fewer seeds make the bar longer.",
                5: "Fewer seeds make the bar longer.",
            },
            "To halve a bar, the square root of the number must double. By what must the number itself be multiplied?",
        ),
    ),
    "07-c": Exercise(
        "All three seeds were tested on the same pictures. What would other pictures have said?",
        "Ninety pictures are a sample. All right out of ninety may be 96 % of a million.",
        choice(
            "test images",
            {
                "seeds": "The bar is made of the seeds: it shows how far other seeds may move the mean.",
                "epochs": "The epochs are the same for all: your choice, not luck. Which luck is left out?",
            },
        ),
    ),
    "08-a": Exercise(
        "Count the pixels of both pictures.",
        "Half the side is a quarter of the pixels, and about a quarter of the time.",
        number(
            2,
            {
                4: "Half the side, but in both directions: how many pixels are left?",
                8: "Fewer pixels are less work: every filter visits every place.",
                32: "It gets smaller, not larger.",
                16: "It gets smaller, not larger.",
            },
            "What fraction of 224 × 224 pixels is 112 × 112?",
        ),
    ),
    "08-b": Exercise(
        "Leave out whoever is beaten by another in time or accuracy, and better in neither.",
        "A is the fastest, and C is the most accurate at its price. B and D are beaten by A and C.",
        pareto_front,
    ),
    "08-c": Exercise(
        "Which images may be looked at as often as you like, without being learned from?",
        "Choose on the validation images, then look at the test images once, for the one that you chose.",
        choice(
            "validation",
            {
                "test": "Then luck on the test images selected the winner, as in the contest of twenty.",
                "training": "A rate that fits the training images best may only memorize them.",
            },
        ),
    ),
    "09-a": Exercise(
        "The head is one Dense layer with 10 units on 1,280 features. Count it, then take it away.",
        "12,810 of them are the head's; the others are what the last block and the layers behind it may change.",
        number(
            1_009_792,
            {
                1_022_602: "That's everything that learns in the second stage, including the head.",
                12_810: "That is the head, which learns in both stages. How many are left for the backbone?",
                1_009_802: "Nearly: each of the 10 units of the head also has a bias.",
                2_403_232: "Those stay frozen. How many of the backbone's numbers learn?",
            },
            "Subtract the head, 1,280 × 10 weights and 10 biases, from everything that learns.",
        ),
    ),
    "09-b": Exercise(
        "Keras decides once what an optimizer trains. When?",
        "compile decides what is trained: after every change of trainable, compile again.",
        choice(
            "compile",
            {
                "epochs": "More epochs train the same layers as before. When does Keras look at trainable?",
                "rate": "A larger step changes nothing in a layer that is not trained. How do you make Keras train it?",
                "images": "More images train the same layers as before. When does Keras look at trainable?",
            },
        ),
    ),
    "09-c": Exercise(
        "Does the interval contain zero? And what does that allow you to say?",
        "The interval contains zero: fine-tuning may have helped, or harmed a little. More seeds or images would tell.",
        choice(
            "too close to call",
            {
                "better": "The mean is above zero, but the interval reaches below it: it may just as well be worse.",
                "worse": "The mean is above zero. Nothing here shows that it is worse.",
                "equal": "Not seeing a difference does not mean that there is none.",
            },
        ),
    ),
    "10-a": Exercise(
        "Mend one thing at a time: check_setup names them. build_transfer shows which layer comes before the backbone.",
        "check_setup finds nothing more. Only a test on images that are new to the model tells how good it is.",
        repaired_model,
        "Four places: what comes before the backbone, the layer of 6, the learning rate, from_logits.",
    ),
    "10-b": Exercise(
        "An interval that contains 0: was a cost shown? Was it shown that there is none?",
        "These images can't tell. On harder images, or with another backbone, raw pixels can cost nearly everything.",
        choice(
            "unknown",
            {
                "harmless": "Not seeing a difference doesn't show that there is none: the interval has both signs.",
                "harmful": "Your next pictures may show it, but these didn't: the interval contains 0.",
            },
        ),
        "The third sentence of the study says for which images it holds.",
    ),
    "10-c": Exercise(
        "What else than the illness do two X-rays of one patient have in common?",
        "If it recognizes patients, it fails on patients that it hasn't seen.",
        choice(
            "split by patient",
            {
                "more epochs": "It would only recognize the same patients better still.",
                "larger network": "It would only recognize the same patients better still, and memorize more.",
                "random labels": "A good test for a picture that is in both parts. But two X-rays of one patient would "
                "get different random labels, so recognizing the patient wouldn't help.",
            },
        ),
        "Each patient's two pictures must be on the same side.",
    ),
    "11-a": Exercise(
        "Weigh each map's value, add up, and remember what becomes of numbers below 0.",
        "2 × 1 − 4 × 1 = −2 speaks against the class, and is cut off.",
        number(
            0,
            {
                -2: "Right as a sum. But what speaks against the class is cut off (the ReLU at the end).",
                6: "The second map has a negative weight: subtract it.",
                2: "The second map counts as well, and its weight is negative.",
            },
            "Multiply each map's value by its weight, add the two, and cut off what is below 0.",
        ),
    ),
    "11-b": Exercise(
        "96 pixels gave 3 places along each side: every place stands for 32 pixels.",
        "160 / 32 = 5 places along each side.",
        number(
            25,
            {
                5: "That is one side. The map has two.",
                9: "That is the map of 96 × 96 pixels. Here the picture is larger.",
                800: "The sides are halved five times: divide 160 by 2 × 2 × 2 × 2 × 2.",
            },
            "Halve 160 five times; that is one side. Then multiply the two sides.",
        ),
    ),
    "11-c": Exercise(
        "The shares of all axes together are 100 %.",
        "So classes that overlap in the panel may still lie apart in the rest.",
        number(
            46.5,
            {
                53.5: "That is what the panel shows. What does it leave out?",
                65.0: "The second axis is shown as well.",
                81.5: "The first axis is shown as well.",
                0.465: "As a percentage, please.",
            },
            "Subtract both shares from 100 %.",
        ),
    ),
}
