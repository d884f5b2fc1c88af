"""The predictions of the tutorial: answers from common misconceptions, and reasons with a comment on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Prediction:
    """A question about a measurement that follows.

    Attributes:
        text: The question.
        answers: What can be measured.
        reasons: Reasons to choose from, each with what there is to say about it, whatever was measured.
        example: The answer and the reason that are shown where nobody chose any.
        values: The number that each answer stands for, where the measurement is a number.
    """

    text: str
    answers: tuple[str, ...]
    reasons: Mapping[str, str]
    example: tuple[str, str]
    values: tuple[float, ...] = ()


PREDICTIONS = {
    "who_wins": Prediction(
        "Which model will get more of the test photographs right?",
        ("scratch", "transfer", "too close to call"),
        {
            "a network that learns only my photographs fits them best": (
                "it does fit the photographs it learns from, nearly all of them. The test asks about others. From a "
                "hundred examples alone, a network can't tell what matters in those and what doesn't."
            ),
            "edges, fur and petals look alike in most photographs": (
                "this is the idea of transfer learning. What a network learned from a million photographs is useful in "
                "yours as well."
            ),
            "the larger network has more parameters": (
                "most of them are frozen and learn nothing here. A large network that starts from random numbers would "
                "need far more photographs, not fewer."
            ),
        },
        ("scratch", "a network that learns only my photographs fits them best"),
    ),
    "learning_rate": Prediction(
        "In the next figure, ten steps with a rate of 0.05 reach the bottom. With a rate of 3, how does the loss end?",
        ("at the bottom, only sooner", "higher than it began"),
        {
            "larger steps get down sooner": (
                "that holds as long as a step ends before the bottom. A step that is too long lands on the other side."
            ),
            "a step that is too long lands on the other side of the valley": (
                "the gradient only says how steep it is where you stand, not how far away the bottom is."
            ),
            "the gradient shows the way, so a step can't make things worse": (
                "the direction is right, and only for a short way. How far you go is up to the learning rate."
            ),
        },
        ("higher than it began", "a step that is too long lands on the other side of the valley"),
    ),
    "first_epoch": Prediction(
        "After the first epoch, which accuracy will Keras report as the higher one?",
        ("training", "validation"),
        {
            "the network has learned from the training images": (
                "so it has, and after many epochs this often shows. In the first one there isn't much to memorize yet."
            ),
            "the training accuracy is an average over the epoch, in which the network was bad at first": (
                "validation images are looked at when the epoch is over, by a network that has already taken its steps."
            ),
            "there are few validation images, so luck decides": (
                "with 20 images, each one is worth 5 points, so small differences mean nothing. This one has a cause, "
                "too: look at when each number is measured."
            ),
        },
        ("training", "the network has learned from the training images"),
    ),
    "printed_shape": Prediction(
        "What comes out of the printed network for one picture of 128 × 128 pixels?",
        ("1 number", "6 numbers", "16,384 numbers"),
        {
            "the last layer has one unit": (
                "Dense works on the last axis only. Without Flatten before it, it answers at every place."
            ),
            "nothing in it brings the places of the picture together": (
                "Conv2D keeps the places, and so does Dense. Pooling makes them fewer, Flatten puts them into one row."
            ),
            "the Dense layer of 6 looks at the whole picture": (
                "it would, with Flatten before it. So it looks at the 128 channels of one place after the other."
            ),
        },
        ("1 number", "the last layer has one unit"),
    ),
    "patient": Prediction(
        "Which one of these changes will make the network learn?",
        ("three times as many epochs", "a tenth of the learning rate", "other pixel values"),
        {
            "it learns slowly, so it needs more time": (
                "a loss that falls slowly needs time. This one doesn't move, and time won't move it."
            ),
            "its steps are too large, so it jumps across the valley": (
                "then the loss would jump up and down. This one stands still at ln 3."
            ),
            "nearly the same numbers go in for every image": (
                "then nearly the same answer comes out, and no weight can tell the classes apart. It stands at chance "
                "on the images that it was shown, which rules out everything about new ones."
            ),
            "it has too few images": (
                "few images are easy to memorize, so its training accuracy would be high. Here it's at chance."
            ),
        },
        ("three times as many epochs", "it learns slowly, so it needs more time"),
    ),
    "leak": Prediction(
        "Random labels, two classes, and a split that changes in every epoch: what is the validation accuracy?",
        ("near 50%: chance", "near 100%"),
        {
            "there is nothing to learn in random labels": (
                "there is nothing to understand, but a network can still memorize every single one."
            ),
            "sooner or later each validation image is trained on": (
                "after some epochs each image has been in the training part, with its random label."
            ),
            "validation images are never trained on": (
                "that is what the word promises, and what this split breaks without saying so."
            ),
        },
        ("near 50%: chance", "there is nothing to learn in random labels"),
    ),
    "no_name": Prediction(
        "What does the network do with the brick wall, for which it has no name?",
        (
            "it says that it doesn't know",
            "it gives one of its names, and is unsure",
            "it gives one of its names, and is sure",
        ),
        {
            "it has learned when to give no answer": (
                "nobody taught it that. Each of its million photographs showed one of the 1,000 things."
            ),
            "its probabilities add up to 100%, so some name has to be the highest": (
                "softmax shares out 100%, whatever the picture shows. With no fitting name, the shares are small."
            ),
            "bricks look exactly like something that it knows": (
                "that happens, and then a network is sure and wrong. So a high probability is no proof."
            ),
        },
        ("it says that it doesn't know", "it has learned when to give no answer"),
        (0.0, 0.2, 0.9),
    ),
    "wrong_labels": Prediction(
        "After 25 epochs, for how many of its training pictures does the network answer what the friend has written?",
        (
            "hardly any: wrong labels confuse it",
            "about 70%: those with a right label",
            "nearly all, the wrong labels included",
        ),
        {
            "a wrong label fits nothing that the network can see in the picture": (
                "it fits nothing that other pictures share. But a picture has some detail that no other one has, and a "
                "network with enough parameters can tie any answer to it."
            ),
            "training makes the loss smaller, whatever the labels say": (
                "the loss knows nothing of right and wrong. It compares the answers with the labels that are there."
            ),
            "contradicting labels cancel each other out": (
                "they do in the first epochs, when the network looks for what many pictures share. Later it treats "
                "them one by one."
            ),
        },
        ("about 70%: those with a right label", "a wrong label fits nothing that the network can see in the picture"),
        (0.1, 0.7, 1.0),
    ),
    "darkness": Prediction(
        "A seventh of the light is left. How sure will the network from scratch be of its answers?",
        ("less sure than before", "as sure as before, or surer"),
        {
            "it sees less, so it doubts more": (
                "you would. A network only multiplies and adds up, and in training it was never rewarded for a doubt."
            ),
            "it has never learned when to doubt": (
                "it was only ever rewarded for being sure of the right class of pictures like those it learned from."
            ),
            "its probabilities always add up to 1": (
                "they do, and they could still be one quarter each. It takes more than that to be sure."
            ),
        },
        ("less sure than before", "it sees less, so it doubts more"),
    ),
    "stranger": Prediction(
        "A picture of none of the classes: how does the model share out its 100%?",
        ("no class gets more than half", "one class gets more than half"),
        {
            "it doesn't know the picture, so all classes get about the same": (
                "the shares only say how the classes compare. The head picks what fits least badly, and softmax makes "
                "the difference look large."
            ),
            "something in every picture resembles one of the classes more than the others": (
                "a background, a color, a shape. That is enough, because nothing else is on offer."
            ),
            "the shares say how sure the model is, and it can't be sure here": (
                "they say so only for pictures like those it was trained on. It has no way to say 'none of these'."
            ),
        },
        ("no class gets more than half", "it doesn't know the picture, so all classes get about the same"),
    ),
    "how_many": Prediction(
        "How many photographs of each class does scratch need to be as good as transfer with 5?",
        ("14 or fewer", "even 14 aren't enough"),
        {
            "both learn from the same photographs, so they need about as many": (
                "they learn different things from them. Transfer's features were learned from other photographs."
            ),
            "scratch has to learn from them even what an edge or a color is": (
                "and that takes far more photographs than learning which features go with which class."
            ),
            "the smaller network has less to learn": (
                "from scratch, every one of its parameters is learned from your photographs. Of the larger network, "
                "only the head is."
            ),
        },
        ("14 or fewer", "both learn from the same photographs, so they need about as many"),
    ),
    "bar_length": Prediction(
        "How long is the bar of three seeds, compared with that of twelve?",
        ("at most 2.5 times as long", "more than 2.5 times as long"),
        {
            "four times the seeds, so it is four times as long": (
                "that comes near, for another reason: the square root of 4 makes it twice as long, and the factors, "
                "4.30 and 2.20, twice again. From 12 to 48 seeds, only the square root is left."
            ),
            "the square root of 4 is 2, so it is twice as long": (
                "the square root is right. But three values say little about how far they scatter, and the factor of "
                "4.30 in place of 2.20 makes up for that."
            ),
            "the scatter of the seeds is the same, so the bar is about the same": (
                "single seeds scatter as before. The bar is about their mean, and a mean of more seeds is surer."
            ),
        },
        ("at most 2.5 times as long", "the square root of 4 is 2, so it is twice as long"),
    ),
    "larger_backbone": Prediction(
        "On ImageNet, EfficientNetLite2 is 2.5 points better than Lite0. What will the test on these photographs say?",
        ("Lite0 is better", "Lite2 is better", "too close to call"),
        {
            "a backbone that is better on ImageNet is better everywhere": (
                "often, and not always. ImageNet asks for a thousand kinds of things; your photographs are others."
            ),
            "a larger backbone needs more photographs to learn from": (
                "both are frozen. Their heads have the same number of parameters, and learn from the same photographs."
            ),
            "so few test photographs can't show 2.5 points": (
                "each of them counts for more than a point, and luck moves the result by several."
            ),
        },
        ("Lite2 is better", "a backbone that is better on ImageNet is better everywhere"),
    ),
    "winner": Prediction(
        "Twenty equally good backbones, 85% each, are tested on 41 photographs. What does the best of them show?",
        ("about 85%", "clearly more than 85%"),
        {
            "all are at 85%, so the best one is, too": (
                "it is, on all photographs there are. On 41 of them, luck adds or takes points, and most luck wins."
            ),
            "the luckiest of twenty is chosen": (
                "and its luck stays with these photographs. On others it shows 85% again, on average."
            ),
            "luck averages out over twenty backbones": (
                "it does in their mean. The best one isn't the mean; it is the one that had most of it."
            ),
        },
        ("about 85%", "all are at 85%, so the best one is, too"),
    ),
    "batch_norm": Prediction(
        "fit reports an accuracy on the training digits. Then evaluate asks about the same ones. How does it come out?",
        ("about the same, or better", "worse by 5 points or more"),
        {
            "training=False in the call keeps BatchNormalization as it was": (
                "many guides say so. But fit passes training=True down to every layer, and that overrides it."
            ),
            "fit reports an average over the epoch, while the model still gets better": (
                "it does, as in notebook 01. That makes what fit reports too low, never too high."
            ),
            "fit uses the averages of each batch, evaluate the stored ones": (
                "these are two different models, and fit reports on the one that you won't use."
            ),
        },
        ("about the same, or better", "training=False in the call keeps BatchNormalization as it was"),
    ),
    "finer_map": Prediction(
        "Which model has the sharper heat map?",
        ("transfer", "scratch"),
        {
            "the one that is right more often looks more exactly": (
                "how sharp a map is follows from the layers. It says nothing about the answers."
            ),
            "the one that halves the sides fewer times keeps more places": (
                "the last feature maps decide. A finer map shows more detail, and its answers need not be better."
            ),
            "the larger network sees more detail": (
                "it has more layers and more maps. But each map gets smaller with every halving, whatever its number."
            ),
        },
        ("transfer", "the one that is right more often looks more exactly"),
    ),
    "untrained_map": Prediction(
        "How alike are the heat maps of the trained and of the untrained network?",
        ("much alike: 70% or more", "little alike, or not at all"),
        {
            "both are bright where the thing is": (
                "random filters do answer to edges and bright places. But the weights of the maps are random, too, and "
                "may just as well point away from the thing."
            ),
            "training decides which maps speak for a class": (
                "the same layers with other weights give other maps. That is what the check asks for."
            ),
            "an untrained network has no heat map": (
                "it has one: random weights also raise a score somewhere, and nothing warns you."
            ),
        },
        ("much alike: 70% or more", "both are bright where the thing is"),
    ),
    "control": Prediction(
        "The control's backbone has random weights. How many test photographs will it get right?",
        ("clearly fewer than transfer", "about as many as transfer"),
        {
            "the head learns, and makes up for the backbone": (
                "the head can only weigh the features that it gets. What random weights have mixed up, it can't undo."
            ),
            "good features have to be learned": (
                "nobody wrote the pretrained weights. They came from a million labeled photographs."
            ),
            "the layers count, whatever the numbers in them are": (
                "layers do count: random features can beat chance, on textures by far. They rarely keep up, though."
            ),
        },
        ("about as many as transfer", "the head learns, and makes up for the backbone"),
    ),
}
