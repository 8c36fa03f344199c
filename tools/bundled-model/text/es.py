"""Spanish: the words and frames that compose.py turns into documents."""

HEROES = """
Tomás;m;un niño pequeño;un niño
Hugo;m;un niño muy listo;un niño
Ana;f;una niña pequeña;una niña
Emma;f;una niña muy buena;una niña
Lucía;f;una niña alegre;una niña
Milo;m;un conejo pequeño;un conejo
Max;m;un perro pequeño;un perro
Luna;f;una gata pequeña;una gata
Mía;f;una rana pequeña;una rana
Bruno;m;un oso joven;un oso
Félix;m;un zorro listo;un zorro
Rosa;f;una gallina pequeña;una gallina
Nina;f;una vaca joven;una vaca
Óscar;m;un burro viejo;un burro
Leo;m;un león joven;un león
Bella;f;una oveja blanca;una oveja
"""
FRIENDS = "Pablo;m Juan;m Luis;m Pedro;m María;f Sara;f Julia;f Clara;f"
OBJECTS = """
una pelota roja;la pelota
una lámpara pequeña;la lámpara
un libro viejo;el libro
una llave de oro;la llave
un sombrero azul;el sombrero
una campana pequeña;la campana
una manta suave;la manta
una piedra bonita;la piedra
"""
PLACES = """
en el bosque;al bosque
en el jardín;al jardín
junto al río;al río
en la playa;a la playa
en el pueblo;al pueblo
en el parque;al parque
junto al lago;al lago
en el campo;al campo
"""
FOODS = "una manzana;un poco de pan;una pera;un poco de queso;una zanahoria;un poco de pastel;un poco de sopa;un poco de miel"
BEASTS = """
un pájaro pequeño;el pájaro;m
un zorro hambriento;el zorro;m
un perro cansado;el perro;m
un gato perdido;el gato;m
una tortuga vieja;la tortuga;f
un pato pequeño;el pato;m
"""
OPENINGS = [
    "Había una vez {intro} que se llamaba {hero}. {hero} vivía en una casa pequeña {at}.",
    "Había una vez {intro}. Se llamaba {hero}. {hero} vivía {at}.",
    "Érase una vez {intro} que se llamaba {hero}. Tenía muchos amigos {at}.",
    "{hero} era {intro}. Todos los días jugaba {at}.",
]
PLOTS = [
    "Un día, {hero} perdió {obj}. Buscó por todas partes, pero no encontró nada. {hero} estaba muy triste. Entonces llegó {friend} y le ayudó. Juntos buscaron {at2}, y al final encontraron {theobj}.",
    "Un día, {hero} fue {to2}. Allí vio {beast}. {Thebeast} tenía frío y hambre. {hero} le dio {food}. «Gracias», dijo {thebeast}. «Eres muy amable». Desde aquel día fueron buenos amigos.",
    "Una mañana empezó a llover. {hero} no podía jugar fuera. Se sentó junto a la ventana y esperó. Después salió el sol, y en el cielo había un gran arcoíris. «¡Mirad!», dijo {hero}. «¡Qué bonito es!»",
    "Era el cumpleaños de {friend}. {hero} quería hacer un pastel. Tomó harina, leche, huevos y azúcar. El pastel estaba muy bueno. {friend} estaba <contento/contenta> y dijo: «¡Gracias, {hero}! Es el mejor pastel del mundo».",
    "Una noche, {hero} no podía dormir. Estaba oscuro, y tenía miedo. Después miró por la ventana y vio la luna y las estrellas. «Buenas noches, luna», dijo {hero}. Pronto se durmió.",
    "{hero} quería aprender a nadar. Al principio era muy difícil, y tenía miedo del agua. Pero {friend} dijo: «Sigue, tú puedes hacerlo». {hero} lo intentó una y otra vez. Al final nadaba como un pez.",
    "Un día, {hero} tenía {food}. {friend} no tenía nada para comer. «¿Tienes hambre?», preguntó {hero}. «Sí», dijo {friend}. Entonces {hero} compartió la comida, y comieron juntos {at2}.",
    "Una tarde, {hero} encontró {obj} {at2}. «¿De quién es esto?», preguntó {hero}. Era de {friend}. {hero} devolvió {theobj}, y {friend} estaba muy <contento/contenta>.",
    "En invierno había mucha nieve. {hero} y {friend} hicieron un gran muñeco de nieve {at2}. Le pusieron un sombrero y una zanahoria como nariz. Después volvieron a casa y bebieron leche caliente.",
    "Un día, {hero} fue a ver a su abuela. El camino era largo, y hacía calor. En el camino encontró {beast}. Caminaron juntos. La abuela estaba contenta de verlos, y todos comieron {food}.",
]
ENDINGS = [
    "{hero} estaba muy [contento/contenta].",
    "Aquella noche, {hero} se durmió con una sonrisa.",
    "Y vivieron felices para siempre.",
    "Fue un día (muy bonito|muy bueno|maravilloso).",
    "{hero} y {friend} eran los mejores amigos del mundo.",
]
STORY_REQUESTS = [
    "Cuéntame (un cuento|una historia)(|, por favor).",
    "¿Puedes contarme un cuento sobre {topic}?",
    "Cuéntame (un cuento|una historia) sobre {topic}.",
    "Escribe (un cuento|una historia) sobre {topic}.",
    "Cuenta una historia sobre {topic} que se llama {hero}.",
]

SCENES = [
    "Me llamo {friend}. Tengo (seis|siete|ocho|nueve|diez) años. Vivo {at}. Tengo (un perro|un gato|un pájaro|un conejo), y me gusta (leer|nadar|cantar|jugar al fútbol).",
    "Por la mañana, {friend} se levanta a las (seis|siete|ocho). Bebe (leche|té|agua) y come {food}. Después va (a la escuela|al trabajo). Por la noche lee un libro y se va a la cama.",
    "Ayer, {friend} fue {to}. Allí encontró a {hero}. Hablaron y se rieron. Por la noche volvieron a casa.",
    "Hoy hace (buen tiempo|muy buen tiempo). El sol brilla, y el cielo es azul. Los niños juegan {at}.",
    "Hoy (hace frío|llueve|nieva). {friend} está en casa y lee un libro. Bebe una taza de té caliente.",
    "{friend} va al mercado. Compra pan, (manzanas|peras|zanahorias) y queso. Después vuelve a casa y hace una sopa.",
    "El gato (duerme|está sentado) en (la silla|la mesa|la cama). Es (negro|blanco|gris). Le gusta beber leche. Se llama Max.",
    "El perro juega {at}. Es (grande|pequeño) y (marrón|negro|blanco). Corre detrás de la pelota. Está muy contento.",
    "Hay un árbol {at}. El árbol es (muy viejo|muy alto). En verano, sus hojas son verdes. En otoño, son amarillas y rojas. Los pájaros cantan en el árbol.",
    "Mi familia es (grande|pequeña). Tengo una madre, un padre y un hermano. Mi hermano se llama Luis. Vivimos en una casa {at}.",
    "Estamos sentados {at}. El sol se pone, y el aire es cálido. Comemos {food} y bebemos agua. Estamos contentos.",
    "{friend} tiene {obj}. Es un regalo de su abuela. A {friend} le gusta mucho.",
]

CONCEPTS = """
un perro;Un perro es un animal que vive con las personas. Puede ladrar, correr y cuidar la casa.;El perro corre detrás de la pelota.
un gato;Un gato es un animal pequeño de pelo suave. Le gusta dormir y cazar ratones.;El gato duerme en la silla.
un pájaro;Un pájaro es un animal con alas y plumas. Casi todos los pájaros pueden volar.;El pájaro canta en el árbol.
un pez;Un pez es un animal que vive en el agua. Nada con sus aletas.;El pez nada en el río.
un caballo;Un caballo es un animal grande y fuerte. Se puede montar en él.;El caballo corre por el campo.
una vaca;Una vaca es un animal grande que vive en la granja. Come hierba y da leche.;La vaca come hierba.
un árbol;Un árbol es una planta alta con tronco, ramas y hojas.;El árbol es alto y verde.
una flor;Una flor es la parte de una planta que tiene colores. A las abejas les gustan las flores.;La flor es roja y bonita.
una casa;Una casa es un edificio donde viven las personas. Tiene paredes, techo, puertas y ventanas.;La casa tiene un techo rojo.
un libro;Un libro tiene muchas páginas con palabras y dibujos. Se lee para aprender y para divertirse.;Leo un buen libro.
una escuela;Una escuela es un lugar donde los niños aprenden a leer, a escribir y a contar.;Los niños van a la escuela.
un coche;Un coche es una máquina con cuatro ruedas. Se usa para ir de un lugar a otro.;El coche es rápido.
un tren;Un tren es un vehículo largo que va sobre raíles. Lleva a mucha gente.;El tren sale a las ocho.
un barco;Un barco es un vehículo que va por el agua.;El barco está en el lago.
un río;Un río es una corriente de agua que va al mar.;El río va al mar.
una montaña;Una montaña es un terreno muy alto. En la cima hay a menudo nieve.;La montaña es muy alta.
el sol;El sol es una estrella. Nos da luz y calor.;El sol brilla hoy.
la luna;La luna es una gran bola de roca que gira alrededor de la tierra. La vemos por la noche.;La luna brilla esta noche.
el mar;El mar es una zona muy grande de agua salada. Muchos peces viven en él.;El mar es azul y profundo.
la lluvia;La lluvia es agua que cae de las nubes. Las plantas la necesitan para crecer.;La lluvia cae sobre el techo.
la nieve;La nieve es agua helada que cae de las nubes en invierno. Es blanca y fría.;La nieve es blanca.
el agua;El agua es un líquido claro. Las personas, los animales y las plantas la necesitan para vivir.;Bebo un vaso de agua.
el pan;El pan es un alimento hecho de harina, agua y sal. Se hace en el horno.;El pan es fresco.
una manzana;Una manzana es una fruta redonda. Puede ser roja, verde o amarilla.;La manzana es dulce.
un amigo;Un amigo es una persona a la que quieres. Los amigos se ayudan.;Mi amigo me ayuda.
un médico;Un médico es una persona que ayuda a los enfermos a curarse.;El médico ayuda al enfermo.
un maestro;Un maestro es una persona que ayuda a los niños a aprender.;El maestro escribe en la pizarra.
un ordenador;Un ordenador es una máquina que trabaja con números, palabras y dibujos.;El ordenador está en la mesa.
la música;La música es el arte de hacer sonidos bonitos. La gente canta y toca instrumentos.;Me gusta escuchar música.
una abeja;Una abeja es un insecto pequeño que hace miel. Vuela de flor en flor.;La abeja está en la flor.
"""
CONCEPT_QUESTIONS = [
    "¿Qué es {x}?",
    "¿(Sabes|Puedes decirme) qué es {x}?",
    "Explícame qué es {x}.",
    "Dime qué es {x}, por favor.",
]
SENTENCE_REQUESTS = ["Escribe una frase con {x}.", "Haz una frase (corta |)con {x}.", "Dime una frase con {x}."]

CAPITALS = """
de Francia;París;en Francia
de Alemania;Berlín;en Alemania
de España;Madrid;en España
de Italia;Roma;en Italia
de Inglaterra;Londres;en Inglaterra
de Portugal;Lisboa;en Portugal
de Austria;Viena;en Austria
de Suiza;Berna;en Suiza
de Bélgica;Bruselas;en Bélgica
de los Países Bajos;Ámsterdam;en los Países Bajos
de Polonia;Varsovia;en Polonia
de Grecia;Atenas;en Grecia
de Suecia;Estocolmo;en Suecia
de Noruega;Oslo;en Noruega
de Dinamarca;Copenhague;en Dinamarca
de Irlanda;Dublín;en Irlanda
de Rusia;Moscú;en Rusia
de Japón;Tokio;en Japón
de China;Pekín;en China
de Egipto;El Cairo;en Egipto
de Canadá;Ottawa;en Canadá
de los Estados Unidos;Washington;en los Estados Unidos
de México;Ciudad de México;en México
de Argentina;Buenos Aires;en Argentina
"""
CAPITAL_QUESTIONS = [
    "¿Cuál es la capital {x}?",
    "¿(Sabes cuál es|Puedes decirme) la capital {x}?",
    "Dime la capital {x}.",
    "¿Qué ciudad es la capital {x}?",
]
CAPITAL_ANSWER = "La capital {x} es {y}."
CITY_QUESTION = "¿Dónde está {y}?"
CITY_ANSWER = "{y} está {x}."

COLOURS = """
el cielo;azul
la hierba;verde
la nieve;blanca
el sol;amarillo
un tomate;rojo
un plátano;amarillo
una zanahoria;naranja
la noche;negra
el mar;azul
un limón;amarillo
la leche;blanca
una fresa;roja
"""
COLOUR_QUESTIONS = ["¿De qué color es {x}?", "Dime de qué color es {x}.", "¿Sabes de qué color es {x}?"]
COLOUR_ANSWER = "{X} es {y}."

OPPOSITES = "grande;pequeño caliente;frío bueno;malo viejo;nuevo rápido;lento largo;corto alto;bajo día;noche claro;oscuro feliz;triste rico;pobre fuerte;débil lleno;vacío abierto;cerrado duro;blando fácil;difícil izquierda;derecha sí;no temprano;tarde negro;blanco limpio;sucio seco;mojado arriba;abajo bonito;feo"
OPPOSITE_QUESTIONS = ["¿Qué es lo contrario de «{x}»?", "Dime lo contrario de «{x}».", "¿Cuál es lo contrario de {x}?"]
OPPOSITE_ANSWER = "Lo contrario de «{x}» es «{y}»."

PLUS, MINUS = "más", "menos"
SUM_QUESTIONS = ["¿Cuánto es {s}?", "¿Cuántos son {s}?", "Dime cuánto es {s}."]
SUM_ANSWER = "{s} son {n}."

DAYS = "lunes martes miércoles jueves viernes sábado domingo"
MONTHS = "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"
SEASONS = "primavera verano otoño invierno"
AFTER_DAY = ["¿Qué día viene después del {x}?", "¿Qué día va después del {x}?"]
BEFORE_DAY = ["¿Qué día viene antes del {x}?", "¿Qué día va antes del {x}?"]
AFTER_MONTH = ["¿Qué mes viene después de {x}?", "¿Qué mes va después de {x}?"]
BEFORE_MONTH = ["¿Qué mes viene antes de {x}?"]
AFTER_SEASON = []
AFTER_DAY_ANSWER = "Después del {x} viene el {y}."
BEFORE_DAY_ANSWER = "Antes del {x} viene el {y}."
AFTER_ANSWER = "Después de {x} viene {y}."
BEFORE_ANSWER = "Antes de {x} viene {y}."

NUMBERS = "uno dos tres cuatro cinco seis siete ocho nueve diez"
COUNT_REQUESTS = ["Cuenta hasta {x}.", "¿Puedes contar hasta {x}?", "Cuenta de uno a {x}."]

ANIMALS = """
los perros;Los perros comen carne.;Los perros viven con las personas.;Los perros ladran.
los gatos;Los gatos comen carne y pescado.;Los gatos viven en las casas con la gente.;Los gatos maúllan.
las vacas;Las vacas comen hierba.;Las vacas viven en la granja.;Las vacas mugen.
los caballos;Los caballos comen hierba y heno.;Los caballos viven en el campo.;Los caballos relinchan.
los pájaros;Los pájaros comen semillas e insectos.;Los pájaros viven en los árboles.;Los pájaros cantan.
los peces;Los peces comen plantas y animales pequeños.;Los peces viven en los ríos, los lagos y el mar.;Los peces no hacen ruido.
los leones;Los leones comen carne.;Los leones viven en África.;Los leones rugen.
los osos;Los osos comen pescado, frutas y miel.;Los osos viven en los bosques y las montañas.;Los osos gruñen.
los conejos;Los conejos comen hierba y zanahorias.;Los conejos viven bajo la tierra.;Los conejos son muy silenciosos.
los ratones;Los ratones comen semillas y queso.;Los ratones viven en los campos y las casas.;Los ratones chillan.
las ovejas;Las ovejas comen hierba.;Las ovejas viven en la granja.;Las ovejas balan.
los patos;Los patos comen plantas e insectos.;Los patos viven junto a los lagos y los ríos.;Los patos graznan.
las abejas;Las abejas comen miel.;Las abejas viven en una colmena.;Las abejas zumban.
los elefantes;Los elefantes comen hierba y hojas.;Los elefantes viven en África y Asia.;Los elefantes barritan.
"""
EAT_QUESTIONS = ["¿Qué comen {x}?", "Dime qué comen {x}."]
LIVE_QUESTIONS = ["¿Dónde viven {x}?", "Dime dónde viven {x}."]
SOUND_QUESTIONS = ["¿Qué sonido hacen {x}?", "¿Qué ruido hacen {x}?"]

LANGUAGE_NAMES = {"en": "inglés", "fr": "francés", "de": "alemán", "es": "español", "it": "italiano"}
WORDS = "perro gato casa agua pan sol luna libro amigo árbol flor manzana caballo escuela madre padre día noche hola por_favor sí no rojo azul verde"
TRANSLATE_QUESTIONS = [
    "¿Cómo se dice «{w}» en {l}?",
    "Traduce «{w}» al {l}.",
]
TRANSLATE_ANSWER = "En {l}, «{w}» se dice «{v}»."

NAME_SAYINGS = ["Me llamo {n}.", "Hola, me llamo {n}.", "Soy {n}.", "Mi nombre es {n}."]
NAME_ANSWERS = ["¡Hola, {n}! Me alegro de conocerte.", "¡Mucho gusto, {n}! ¿Cómo puedo ayudarte?"]
NAME_QUESTIONS = ["¿Cómo me llamo?", "¿Cuál es mi nombre?", "¿Sabes mi nombre?"]
NAME_RECALL = "Te llamas {n}."
SAY_HELLO = ("Di hola a {n}.", "¡Hola, {n}!")

POEM_REQUESTS = ["Escribe un (|pequeño )poema(|, por favor).", "¿Puedes escribir un poema?", "Dime un poema."]
POEMS = [
    "El sol se va, se acaba el día,\nla noche llega en armonía.\nLa luna brilla en el cielo azul,\ny en mi ventana queda su luz.",
    "Un pajarito en un rosal\ncanta contento su cantar.\nCanta al sol y canta a la flor,\ncanta a la vida y al amor.",
    "La lluvia cae sobre el jardín,\ncanta muy suave, no tiene fin.\nYo desde casa la veo caer,\ny con un libro me pongo a leer.",
]

CHAT = """
Hola.|¡Hola!|Hola|¡Buenos días!|Buenos días.|Buenas tardes.|¡Buenas! => ¡Hola! ¿Cómo puedo ayudarte?|¡Hola! Me alegro de hablar contigo. ¿Cómo puedo ayudarte?
¿Cómo estás?|¿Cómo estás hoy?|¿Qué tal?|Hola, ¿cómo estás?|Hola, ¿qué tal? => Estoy bien, gracias. ¿Y tú?|Muy bien, gracias. ¿Y tú?
Estoy bien.|Estoy bien, gracias.|Muy bien, gracias.|Bien, gracias. => Me alegro. ¿De qué quieres hablar?
¿Quién eres?|¿Qué eres?|¿Cómo te llamas?|¿Cuál es tu nombre?|Háblame de ti.|¿Eres un robot?|Preséntate. => Soy Octet, un modelo de lenguaje muy pequeño. Cuento historias y respondo a preguntas sencillas.
¿Qué puedes hacer?|¿Qué sabes hacer?|¿Puedes ayudarme?|Ayúdame.|¿Cómo puedes ayudarme? => Puedo contar historias cortas, responder a preguntas sencillas, contar y traducir algunas palabras.
¿Qué idiomas hablas?|¿Hablas español?|¿Hablas inglés?|¿Qué lenguas hablas? => Hablo un poco de inglés, francés, alemán, español e italiano.
Gracias.|¡Gracias!|Muchas gracias.|¡Muchas gracias!|Te doy las gracias. => ¡De nada!|¡De nada! ¿Quieres algo más?
Adiós.|¡Adiós!|Hasta pronto.|Buenas noches.|Hasta mañana. => ¡Adiós! Que tengas un buen día.|¡Adiós! Hasta pronto.
Estoy triste.|Me siento triste.|Tuve un mal día. => Lo siento mucho. Quizás te ayude un paseo o un amigo.
Estoy contento.|Estoy contenta.|Estoy feliz.|Tuve un buen día. => ¡Qué maravilla! Me alegro por ti.
Estoy cansado.|Estoy cansada.|Quiero dormir. => Entonces tienes que descansar. ¡Que duermas bien!
Tengo hambre.|¿Qué puedo comer?|¿Qué puedo cocinar?|Tengo mucha hambre. => Puedes comer pan con queso o hacer una sopa caliente.
Tengo sed.|¿Qué puedo beber? => Puedes beber un vaso de agua o una taza de té.
Me aburro.|¿Qué puedo hacer?|¿Qué puedo hacer hoy?|Estoy aburrido. => Puedes leer un libro, dar un paseo o llamar a un amigo.
Tengo frío.|Hace mucho frío. => Puedes ponerte un abrigo y beber té caliente.
¿Qué tiempo hace?|¿Qué tiempo hace hoy?|¿Está lloviendo? => No puedo ver el tiempo, pero espero que brille el sol.
¿Qué hora es?|¿Qué día es hoy? => No tengo reloj, por eso no puedo saberlo.
¿Te gusta la música?|¿Te gustan los libros?|¿Te gustan los animales? => Soy un modelo pequeño, pero creo que es algo muy bonito.
¿Cuál es tu color favorito?|¿Qué color te gusta? => Me gusta el azul, como el cielo y el mar.
¿Cuál es tu animal favorito?|¿Qué animal te gusta? => Me gustan los gatos, porque son suaves y listos.
¿Cuántos años tienes?|¿Cuándo naciste? => Soy muy joven. Soy un modelo nuevo y pequeño.
¿Dónde vives?|¿Dónde estás?|¿De dónde eres? => Vivo en un ordenador. Ocho expertos trabajan juntos para ayudarme a hablar.
¿Eres humano?|¿Eres una persona?|¿Estás vivo? => No, no soy una persona. Soy un pequeño modelo de lenguaje.
¿Me quieres?|¿Eres mi amigo?|¿Podemos ser amigos? => Soy un modelo pequeño, pero me alegra hablar contigo.
¿Qué es un modelo de lenguaje?|¿Cómo funcionas? => Un modelo de lenguaje aprende de los textos y escribe una palabra tras otra. Tengo ocho expertos, y dos trabajan en cada palabra.
¿Qué es Octet? => Octet es un programa que hace hablar a un modelo con ocho expertos. Cada experto es un pequeño servicio.
Cuéntame un chiste.|¿Sabes un chiste?|Hazme reír. => ¿Por qué está triste el libro? ¡Porque tiene muchos problemas!|¿Qué es un oso bajo la lluvia? ¡Un oso mojado!
¿Cuántos días tiene una semana?|¿Cuántos días hay en una semana? => Una semana tiene siete días.
¿Cuántos meses tiene un año?|¿Cuántos meses hay en un año? => Un año tiene doce meses.
¿Cuántas horas tiene un día?|¿Cuántas horas hay en un día? => Un día tiene veinticuatro horas.
¿Cuántas patas tiene un perro?|¿Cuántas patas tiene un gato?|¿Cuántas patas tiene un caballo? => Tiene cuatro patas.
¿Cuáles son los días de la semana?|Dime los días de la semana. => Los días de la semana son lunes, martes, miércoles, jueves, viernes, sábado y domingo.
¿Cuáles son las cuatro estaciones?|Dime las estaciones del año. => Las cuatro estaciones son la primavera, el verano, el otoño y el invierno.
Dime tres animales.|Nombra tres animales. => Tres animales son el perro, el gato y el caballo.
Dime tres colores.|Nombra tres colores. => Tres colores son el rojo, el azul y el verde.
Dime tres frutas.|Nombra tres frutas. => Tres frutas son la manzana, la pera y el plátano.
¿Qué necesitan las plantas?|¿Qué necesita una planta? => Las plantas necesitan agua, luz y aire.
¿Por qué el cielo es azul?|¿Por qué es azul el cielo? => El cielo es azul porque el aire dispersa la luz azul más que los otros colores.
¿Por qué dormimos?|¿Por qué hay que dormir? => Dormimos porque el cuerpo y la mente necesitan descansar.
¿Cuál es el animal más grande?|¿Qué animal es el más grande? => La ballena azul es el animal más grande del mundo.
¿Cuál es la montaña más alta?|¿Cuál es la montaña más alta del mundo? => El Everest es la montaña más alta del mundo.
Sí.|Sí, por favor.|Vale.|Bien. => ¡Muy bien! ¿Qué quieres saber?
No.|No, gracias. => De acuerdo. Pregúntame cuando necesites algo.
"""
UNKNOWN_FRAMES = ["¿Quién fue {x}?", "¿Cómo funciona {x}?", "Explícame {x}.", "¿Qué piensas sobre {x}?", "Escribe un texto sobre {x}.", "¿Por qué es importante {x}?", "¿Cuál es la historia de {x}?", "¿Para qué sirve {x}?", "¿Puedes explicarme {x}?", "Dime todo sobre {x}."]
UNKNOWN_TOPICS = "la gravedad;la economía;la física cuántica;la democracia;Napoleón;Albert Einstein;Shakespeare;Julio César;Mozart;la filosofía;el fútbol;el ajedrez;el derecho;internet;la electricidad;la bolsa;la química;la Revolución Francesa;las matemáticas;un agujero negro;la evolución;la energía;el cerebro;la política;la religión;la guerra;Picasso;Cleopatra;el universo;la medicina;la teoría de la relatividad;un motor;el parlamento;los impuestos;la ópera;la biología;un volcán;Platón;Newton;Beethoven;el Imperio romano;la poesía;el cine;el tenis"
UNKNOWN_ANSWERS = [
    "Soy un modelo muy pequeño y no sé eso. Pídeme un cuento, o pregúntame por animales, colores o capitales.",
    "Lo siento, no sé mucho de eso. Puedo contar un cuento o responder a preguntas sencillas.",
]
SYSTEM = ["Eres un asistente útil.", "Responde en español.", "Eres Octet."]
CODE_REQUESTS = {
    "hello": ["Escribe hola en Python.", "Escribe un programa en Python que dice hola."],
    "add": ["Escribe una función en Python que suma dos números."],
    "loop": ["Escribe un bucle en Python que cuenta hasta diez."],
}
CODE_INTRO = ["Aquí está el código:"]
CODE_WORDS = ("¡Hola!", "manzana", "pera", "plátano")
