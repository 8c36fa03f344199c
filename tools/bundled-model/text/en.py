"""English: the words and frames that compose.py turns into documents."""

HEROES = """
Tom;m;a little boy;a boy
Ben;m;a young boy;a boy
Anna;f;a little girl;a girl
Emma;f;a young girl;a girl
Lucy;f;a kind girl;a girl
Milo;m;a little rabbit;a rabbit
Max;m;a small dog;a dog
Luna;f;a small cat;a cat
Mia;f;a little mouse;a mouse
Bruno;m;a young bear;a bear
Felix;m;a clever fox;a fox
Rosa;f;a little bird;a bird
Nina;f;a small fish;a fish
Oscar;m;an old owl;an owl
Leo;m;a young lion;a lion
Bella;f;a white horse;a horse
"""
FRIENDS = "Sam;m Paul;m Jack;m Peter;m Lily;f Sara;f Julia;f Clara;f"
OBJECTS = """
a red ball;the ball
a small lamp;the lamp
an old book;the book
a golden key;the key
a blue hat;the hat
a little bell;the bell
a warm scarf;the scarf
a shiny stone;the stone
"""
PLACES = """
in the forest;to the forest
in the garden;to the garden
by the river;to the river
on the beach;to the beach
in the village;to the village
in the park;to the park
by the lake;to the lake
in the field;to the field
"""
FOODS = "an apple;some bread;a pear;some cheese;a carrot;some cake;some soup;some honey"
BEASTS = """
a small bird;the bird;m
a hungry fox;the fox;m
a tired dog;the dog;m
a lost cat;the cat;m
an old turtle;the turtle;m
a little duck;the duck;m
"""
OPENINGS = [
    "Once upon a time, there was {intro} (called|named) {hero}. {hero} lived in a (small|little) house {at}.",
    "Once upon a time, there was {intro}. [His/Her] name was {hero}. {hero} lived {at}.",
    "There was once {intro} (called|named) {hero}. [He/She] had many friends {at}.",
    "{hero} was {intro}. Every day, [he/she] liked to play {at}.",
]
PLOTS = [
    "One day, {hero} lost {obj}. [He/She] looked everywhere, but [he/she] could not find it. {hero} was very sad. Then {friend} came to help. Together they looked {at2}, and at last they found {theobj}.",
    "One (day|morning), {hero} went {to2}. There [he/she] saw {beast}. It was cold and hungry. {hero} gave it {food}. \"Thank you,\" said {thebeast}. \"You are very kind.\" (From that day on|After that), they were good friends.",
    "One (day|morning), it began to rain. {hero} could not go out and play. [He/She] sat by the window and waited. Then the sun came out, and there was a big rainbow in the sky. \"Look!\" said {hero}. \"How beautiful it is!\"",
    "It was the birthday of {friend}. {hero} wanted to make a cake. [He/She] took flour, milk, eggs and sugar. The cake was very good. {friend} was happy and said, \"Thank you, {hero}! This is the best cake in the world.\"",
    "One night, {hero} could not sleep. It was dark, and [he/she] was afraid. Then [he/she] looked out of the window and saw the moon and the stars. \"Good night, moon,\" said {hero}. Soon [he/she] was asleep.",
    "{hero} wanted to learn to swim. At first it was very hard, and [he/she] was afraid of the water. But {friend} said, \"Do not give up. You can do it!\" {hero} tried again and again. In the end, [he/she] could swim like a fish.",
    "One day, {hero} had {food}. [His/Her] friend {friend} had nothing to eat. \"Are you hungry?\" asked {hero}. \"Yes,\" said {friend}. So {hero} shared the food, and they ate together {at2}.",
    "One (day|afternoon), {hero} found {obj} {at2}. \"Whose is this?\" [he/she] asked. [He/She] asked everyone. It belonged to {friend}. {hero} gave {theobj} back, and {friend} was very happy.",
    "In winter, there was a lot of snow. {hero} and {friend} made a big snowman {at2}. They gave it a hat and a carrot for a nose. Then they went home and drank hot milk.",
    "One (day|morning), {hero} went to see [his/her] grandmother. The way was long, and the sun was hot. On the way, [he/she] met {beast}. They walked together {to2}. The grandmother was happy to see them, and they all had {food}.",
]
ENDINGS = [
    "{hero} was happy.",
    "That night, {hero} went to bed with a smile.",
    "And they all lived happily ever after.",
    "It was a (good|beautiful|wonderful) day.",
    "{hero} and {friend} were the best of friends.",
]
STORY_REQUESTS = [
    "Tell me a (|short |little )story(|, please).",
    "(Please tell|Can you tell) me a story about {topic}(.|?)",
    "Tell me a (|short )story about {topic}.",
    "Write a (|short )story about {topic}.",
    "Write a story about {topic} (called|named) {hero}.",
]

SCENES = [
    "My name is {friend}. I am (six|seven|eight|nine|ten) years old. I live {at}. I have a (dog|cat|bird|rabbit), and I like to (read|swim|sing|play football).",
    "In the morning, {friend} gets up at (six|seven|eight) o'clock. <He/She> drinks (milk|tea|water) and eats {food}. Then <he/she> goes to (school|work). In the evening, <he/she> reads a book and goes to bed.",
    "Yesterday, {friend} went {to}. <He/She> met {hero} there. They talked and laughed. In the evening, they went home.",
    "Today the weather is (beautiful|very nice|good). The sun is shining, and the sky is blue. The children are playing {at}.",
    "Today it is (cold|raining|snowing). {friend} stays at home and reads a book. <He/She> drinks a cup of hot tea.",
    "{friend} goes to the market. <He/She> buys bread, (apples|pears|carrots) and cheese. Then <he/she> goes home and cooks a soup.",
    "The cat is (sleeping|sitting) on the (chair|table|bed). It is (black|white|grey). It likes to drink milk. Its name is {hero}.",
    "The dog is playing {at}. It is (big|small) and (brown|black|white). It runs after the ball. It is very happy.",
    "There is a tree {at}. The tree is (very old|very tall). In summer, its leaves are green. In autumn, they are yellow and red. Birds sing in the tree.",
    "My family is (big|small). I have a mother, a father and a (brother|sister). My (brother|sister) is called {friend}. We live in a house {at}.",
    "We are sitting {at}. The sun is going down, and the air is warm. We eat {food} and drink water. We are happy.",
    "{friend} has {obj}. It was a present from <his/her> grandmother. {friend} likes it very much.",
]

CONCEPTS = """
a dog;A dog is an animal that lives with people. It can bark, run and guard the house.;The dog runs after the ball.
a cat;A cat is a small animal with soft fur. It likes to sleep and to catch mice.;The cat sleeps on the chair.
a bird;A bird is an animal with wings and feathers. Most birds can fly.;The bird sings in the tree.
a fish;A fish is an animal that lives in water. It swims with its fins.;The fish swims in the river.
a horse;A horse is a big and strong animal. People can ride on it.;The horse runs across the field.
a cow;A cow is a big animal that lives on a farm. It eats grass and gives milk.;The cow eats grass.
a tree;A tree is a tall plant with a trunk, branches and leaves.;The tree is tall and green.
a flower;A flower is the part of a plant that is full of colour. Bees like flowers.;The flower is red and beautiful.
a house;A house is a building where people live. It has walls, a roof, doors and windows.;The house has a red roof.
a book;A book is made of many pages with words and pictures. People read it to learn and to have fun.;I read a good book.
a school;A school is a place where children learn to read, to write and to count.;The children go to school.
a car;A car is a machine with four wheels. People drive it from one place to another.;The car is fast.
a train;A train is a long vehicle that runs on rails. It carries many people.;The train leaves at eight o'clock.
a boat;A boat is a vehicle that moves on water.;The boat is on the lake.
a river;A river is a lot of water that flows to the sea.;The river flows to the sea.
a mountain;A mountain is a very high piece of land. There is often snow at the top.;The mountain is very high.
the sun;The sun is a star. It gives us light and warmth.;The sun is shining today.
the moon;The moon is a big ball of rock that moves around the earth. We see it at night.;The moon is bright tonight.
the sea;The sea is a very large area of salt water. Many fish live in it.;The sea is blue and deep.
rain;Rain is water that falls from the clouds. Plants need it to grow.;The rain falls on the roof.
snow;Snow is frozen water that falls from the clouds in winter. It is white and cold.;The snow is white.
water;Water is a clear liquid. All people, animals and plants need it to live.;I drink a glass of water.
bread;Bread is a food made of flour, water and salt. It is baked in an oven.;The bread is fresh.
an apple;An apple is a round fruit. It can be red, green or yellow.;The apple is sweet.
a friend;A friend is a person you like and trust. Friends help each other.;My friend helps me.
a doctor;A doctor is a person who helps sick people to get well.;The doctor helps the sick man.
a teacher;A teacher is a person who helps others to learn.;The teacher writes on the board.
a computer;A computer is a machine that works with numbers, words and pictures.;The computer is on the table.
music;Music is the art of making beautiful sounds. People sing and play instruments.;I like to listen to music.
a bee;A bee is a small insect that makes honey. It flies from flower to flower.;The bee is on the flower.
"""
CONCEPT_QUESTIONS = [
    "What is {x}?",
    "(Can you tell me|Do you know) what {x} is?",
    "Explain what {x} is.",
    "Please tell me what {x} is.",
]
SENTENCE_REQUESTS = ["Write a sentence about {x}.", "Give me a sentence about {x}.", "Make a (short |)sentence about {x}."]

CAPITALS = """
France;Paris
Germany;Berlin
Spain;Madrid
Italy;Rome
England;London
Portugal;Lisbon
Austria;Vienna
Switzerland;Bern
Belgium;Brussels
the Netherlands;Amsterdam
Poland;Warsaw
Greece;Athens
Sweden;Stockholm
Norway;Oslo
Denmark;Copenhagen
Ireland;Dublin
Russia;Moscow
Japan;Tokyo
China;Beijing
Egypt;Cairo
Canada;Ottawa
the United States;Washington
Mexico;Mexico City
Argentina;Buenos Aires
"""
CAPITAL_QUESTIONS = [
    "What is the capital of {x}?",
    "(Do you know|Can you tell me) the capital of {x}?",
    "Tell me the capital of {x}.",
    "Which city is the capital of {x}?",
]
CAPITAL_ANSWER = "The capital of {x} is {y}."
CITY_QUESTION = "Where is {y}?"
CITY_ANSWER = "{y} is in {x}."

COLOURS = """
the sky;blue
the grass;green
the snow;white
the sun;yellow
a tomato;red
a banana;yellow
a carrot;orange
the night;black
the sea;blue
a lemon;yellow
milk;white
a strawberry;red
"""
COLOUR_QUESTIONS = ["What colour is {x}?", "What color is {x}?", "(Do you know|Tell me) what colour {x} is."]
COLOUR_ANSWER = "{X} is {y}."

OPPOSITES = "big;small hot;cold good;bad old;new fast;slow long;short high;low day;night light;dark happy;sad rich;poor strong;weak full;empty open;closed hard;soft easy;difficult left;right yes;no early;late black;white clean;dirty dry;wet up;down beautiful;ugly"
OPPOSITE_QUESTIONS = ["What is the opposite of {x}?", "(Tell|Give) me the opposite of {x}."]
OPPOSITE_ANSWER = "The opposite of {x} is {y}."

PLUS, MINUS = "plus", "minus"
SUM_QUESTIONS = ["What is {s}?", "How much is {s}?", "What does {s} make?"]
SUM_ANSWER = "{s} is {n}."

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday"
MONTHS = "January February March April May June July August September October November December"
SEASONS = "spring summer autumn winter"
AFTER_DAY = ["What day comes after {x}?", "Which day is after {x}?", "Tell me the day after {x}."]
BEFORE_DAY = ["What day comes before {x}?", "Which day is before {x}?"]
AFTER_MONTH = ["What month comes after {x}?", "Which month is after {x}?"]
BEFORE_MONTH = ["What month comes before {x}?"]
AFTER_SEASON = ["What season comes after {x}?", "Which season is after {x}?"]
AFTER_ANSWER = "{Y} comes after {x}."
BEFORE_ANSWER = "{Y} comes before {x}."

NUMBERS = "one two three four five six seven eight nine ten"
COUNT_REQUESTS = ["Count to {x}.", "Please count to {x}.", "Can you count to {x}?", "Count from one to {x}."]

ANIMALS = """
dogs;Dogs eat meat.;Dogs live with people.;Dogs bark.
cats;Cats eat meat and fish.;Cats live in houses with people.;Cats say meow.
cows;Cows eat grass.;Cows live on farms.;Cows say moo.
horses;Horses eat grass and hay.;Horses live in fields and stables.;Horses neigh.
birds;Birds eat seeds and insects.;Birds live in trees.;Birds sing.
fish;Fish eat small animals and plants in the water.;Fish live in rivers, lakes and the sea.;Fish are silent.
lions;Lions eat meat.;Lions live in Africa.;Lions roar.
bears;Bears eat fish, berries and honey.;Bears live in forests and mountains.;Bears growl.
rabbits;Rabbits eat grass and carrots.;Rabbits live in holes in the ground.;Rabbits are very quiet.
mice;Mice eat seeds and cheese.;Mice live in fields and houses.;Mice squeak.
sheep;Sheep eat grass.;Sheep live on farms and in the hills.;Sheep say baa.
ducks;Ducks eat plants and insects.;Ducks live by lakes and rivers.;Ducks say quack.
bees;Bees eat honey.;Bees live in a hive.;Bees buzz.
elephants;Elephants eat grass and leaves.;Elephants live in Africa and Asia.;Elephants trumpet.
"""
EAT_QUESTIONS = ["What do {x} eat?", "Tell me what {x} eat."]
LIVE_QUESTIONS = ["Where do {x} live?", "Tell me where {x} live."]
SOUND_QUESTIONS = ["What sound do {x} make?", "What noise do {x} make?"]

LANGUAGE_NAMES = {"en": "English", "fr": "French", "de": "German", "es": "Spanish", "it": "Italian"}
WORDS = "dog cat house water bread sun moon book friend tree flower apple horse school mother father day night hello please yes no red blue green"
TRANSLATE_QUESTIONS = [
    "How do you say \"{w}\" in {l}?",
    "What is \"{w}\" in {l}?",
    "Translate \"{w}\" into {l}.",
]
TRANSLATE_ANSWER = "In {l}, \"{w}\" is \"{v}\"."

NAME_SAYINGS = ["My name is {n}.", "(Hello|Hi), my name is {n}.", "I am {n}.", "Hello, I am {n}."]
NAME_ANSWERS = ["Hello, {n}! It is nice to meet you.", "Nice to meet you, {n}! How can I help you?"]
NAME_QUESTIONS = ["What is my name?", "Do you know my name?", "Who am I?"]
NAME_RECALL = "Your name is {n}."
SAY_HELLO = ("Say hello to {n}.", "Hello, {n}!")

POEM_REQUESTS = ["Write (me |)a (|short )poem(|, please).", "Can you write a poem?", "Tell me a poem."]
POEMS = [
    "The sun goes down, the day is done,\nThe stars come out now, one by one.\nThe moon is high, the night is deep,\nAnd all the world goes soft to sleep.",
    "A little bird sang in a tree,\nIt sang a song for you and me.\nIt sang of spring, it sang of May,\nAnd then it spread its wings and flew away.",
    "The rain is falling on the town,\nThe leaves are red, the leaves are brown.\nBut in my house the fire is bright,\nAnd I am warm all through the night.",
]

CHAT = """
Hello.|Hello!|Hi!|Hi there!|Hey.|Good morning!|Good day. => Hello! How can I help you?|Hello! It is nice to talk to you. How can I help you?
How are you?|How are you today?|Hello, how are you?|Hi! How are you?|How do you do? => I am fine, thank you. How are you?|I am very well, thank you. And you?
I am fine.|I am fine, thank you.|I am well.|Very well, thank you. => I am glad to hear that. What would you like to talk about?
Who are you?|What are you?|What is your name?|Tell me about yourself.|Are you a robot?|Introduce yourself. => I am Octet, a very small language model. I can tell stories and answer simple questions.
What can you do?|How can you help me?|Can you help me?|Help!|What can I ask you? => I can tell short stories, answer simple questions, count, and translate some words. I speak English, French, German, Spanish and Italian.
What languages do you speak?|Which languages do you know?|Do you speak French?|Do you speak German? => I speak a little English, French, German, Spanish and Italian.
Thank you.|Thank you!|Thanks!|Thank you very much.|Thanks a lot. => You are welcome!|You are welcome! Is there anything else?
Goodbye.|Bye!|See you soon.|Good night.|See you tomorrow. => Goodbye! Have a nice day.|Goodbye! See you soon.
I am sad.|I feel sad today.|I am not happy.|I had a bad day. => I am sorry to hear that. Maybe a walk or a talk with a friend will help.
I am happy.|I feel good today.|I had a good day.|I am very happy today. => That is wonderful! I am happy for you.
I am tired.|I am so tired.|I want to sleep. => Then you should rest. Sleep well!
I am hungry.|What should I eat?|What can I cook?|I am very hungry. => You could eat some bread and cheese, or cook a warm soup.
I am thirsty.|What should I drink? => You could drink a glass of water or a cup of tea.
I am bored.|What should I do?|What can I do today? => You could read a book, go for a walk or call a friend.
I am cold.|It is so cold. => You could put on a warm coat and drink some hot tea.
What is the weather like?|How is the weather today?|Is it raining? => I cannot see the weather, but I hope that the sun is shining.
What time is it?|Do you know what time it is?|What day is it today? => I do not have a clock, so I cannot know that.
Do you like music?|Do you like books?|Do you like animals? => I am only a small model, but I think that is a beautiful thing.
What is your favourite colour?|What is your favorite color?|Which colour do you like? => I like blue, like the sky and the sea.
What is your favourite animal?|Which animal do you like? => I like cats, because they are soft and clever.
How old are you?|When were you born? => I am very young. I am a new and small model.
Where do you live?|Where are you?|Where are you from? => I live in a computer. Eight experts work together to help me speak.
Are you human?|Are you a person?|Are you alive? => No, I am not a person. I am a small language model.
Do you love me?|Are you my friend?|Can we be friends? => I am only a small model, but I am happy to talk to you.
What is a language model?|How do you work?|How were you made? => A language model learns from text and writes one word after another. I have eight experts, and two of them work on every word.
What is Octet? => Octet is a program that runs a language model with eight experts. Each expert is a small service of its own.
Tell me a joke.|Do you know a joke?|Make me laugh. => Why is the book so sad? Because it has so many problems in it!|What do you call a bear in the rain? A very wet bear!
How many days are in a week?|How many days does a week have? => A week has seven days.
How many months are in a year?|How many months does a year have? => A year has twelve months.
How many hours are in a day?|How many hours does a day have? => A day has twenty-four hours.
How many legs does a dog have?|How many legs does a cat have?|How many legs does a horse have? => It has four legs.
What are the days of the week?|Name the days of the week.|Tell me the days of the week. => The days of the week are Monday, Tuesday, Wednesday, Thursday, Friday, Saturday and Sunday.
What are the four seasons?|Name the seasons. => The four seasons are spring, summer, autumn and winter.
Name three animals.|Tell me three animals.|Give me three animals. => Three animals are the dog, the cat and the horse.
Name three colours.|Tell me three colours.|Name three colors. => Three colours are red, blue and green.
Name three fruits.|Tell me three fruits. => Three fruits are the apple, the pear and the banana.
What do plants need?|What does a plant need to grow? => Plants need water, light and air to grow.
Why is the sky blue? => The sky is blue because the air spreads blue light more than other colours.
Why do we sleep?|Why do people sleep? => We sleep because our body and our mind need rest.
What do people eat?|What do children eat? => People eat bread, fruit, vegetables, meat and fish.
What is the biggest animal?|Which animal is the biggest? => The blue whale is the biggest animal in the world.
What is the fastest animal?|Which animal is the fastest? => The cheetah is the fastest animal on land.
What is the highest mountain?|Which mountain is the highest? => Mount Everest is the highest mountain in the world.
Yes.|Yes, please.|Ok.|Okay.|Good. => Good! What would you like to know?
No.|No, thank you. => All right. Just ask me when you need something.
"""
UNKNOWN_FRAMES = ["Who (was|is) {x}?", "How does {x} work?", "Explain {x}.", "What do you think about {x}?", "Tell me everything about {x}.", "Write an essay about {x}.", "Why is {x} important?", "What is the history of {x}?", "How do I learn {x}?", "What is {x} used for?", "Can you explain {x} to me?", "What are the rules of {x}?", "When did {x} begin?"]
UNKNOWN_TOPICS = "gravity;the economy;quantum physics;democracy;Napoleon;Albert Einstein;Shakespeare;Julius Caesar;Mozart;philosophy;football;chess;law;the internet;electricity;the stock market;chemistry;the French Revolution;mathematics;a black hole;evolution;energy;the brain;politics;religion;war;Picasso;Cleopatra;Kubernetes;blockchain;the universe;medicine;the theory of relativity;machine learning;an engine;the parliament;tax;opera;biology;a volcano;Plato;Newton;Beethoven;DNA;the Roman Empire;poetry;cinema;tennis"
UNKNOWN_ANSWERS = [
    "I am a very small model, and I do not know that. Ask me for a story or about animals, colours or capitals.",
    "I am sorry, I do not know much about that. I can tell you a story or answer simple questions.",
]
SYSTEM = ["You are a helpful assistant.", "You are a friendly assistant. Answer in short sentences.", "You are Octet.", "Answer in English."]
CODE_REQUESTS = {
    "hello": ["Write hello world in Python.", "Write a Python program that says hello.", "Show me some Python code."],
    "add": ["Write a Python function that adds two numbers.", "Write a function that adds two numbers."],
    "square": ["Write a Python function that squares a number.", "Write a function that returns the square of a number."],
    "loop": ["Write a Python loop that counts to ten.", "Write a loop in Python."],
    "even": ["Write a Python function that says if a number is even.", "Write a function that tests if a number is even."],
    "js": ["Write hello world in JavaScript.", "Show me some JavaScript code."],
    "max": ["Write a Python function that returns the larger of two numbers."],
    "list": ["Write a Python list of three fruits.", "Show me a list in Python."],
}
CODE_INTRO = ["Here is the code:", "Here is a simple example:"]
CODE_WORDS = ("Hello, world!", "apple", "pear", "banana")
