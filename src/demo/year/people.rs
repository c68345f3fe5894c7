//! Invented people, schools and streets. None has a name that somebody at Northmere has, or that is a word.

use super::random::Random;

const FIRST: [&str; 40] = [
    "Abigail",
    "Adwoa",
    "Agnieszka",
    "Bernadette",
    "Bronwen",
    "Cerys",
    "Clementine",
    "Darragh",
    "Dimitri",
    "Ebony",
    "Eamonn",
    "Farida",
    "Finnian",
    "Gethin",
    "Giselle",
    "Hamza",
    "Ingrid",
    "Isadora",
    "Jacinta",
    "Jerzy",
    "Kwame",
    "Lavinia",
    "Leonie",
    "Malachi",
    "Marsha",
    "Naomi",
    "Niamh",
    "Olwen",
    "Oonagh",
    "Pawel",
    "Perpetua",
    "Rhiannon",
    "Rosalind",
    "Siobhan",
    "Tariq",
    "Thandiwe",
    "Ursula",
    "Vikram",
    "Yolanda",
    "Zainab",
];
const CHILD: [&str; 40] = [
    "Aarav", "Aisha", "Alfie", "Anwen", "Archie", "Bella", "Caleb", "Carys", "Dexter", "Elowen",
    "Emrys", "Esme", "Ffion", "Freya", "Gracie", "Hattie", "Huxley", "Imogen", "Isla", "Jaxon",
    "Jayden", "Kayleigh", "Kian", "Lacey", "Logan", "Maisie", "Mateusz", "Mila", "Nevaeh", "Nia",
    "Orla", "Otis", "Poppy", "Quincy", "Reuben", "Saffron", "Tilly", "Yusuf", "Zachary", "Zuzanna",
];
const NAME_BEGINS: [&str; 20] = [
    "Ald", "Bram", "Cald", "Dray", "Elm", "Fother", "Gris", "Hather", "Ing", "Kels", "Lang", "Mor",
    "Nether", "Ock", "Penn", "Quarr", "Rusk", "Stav", "Thorn", "Wyd",
];
const NAME_ENDS: [&str; 16] = [
    "acre", "bury", "combe", "dale", "ersby", "field", "gate", "hurst", "ington", "leigh", "more",
    "pole", "royd", "stead", "thwaite", "worth",
];
const SCHOOL: [&str; 20] = [
    "Applegarth",
    "Birchanger",
    "Cuckmere",
    "Dovecote",
    "Elderbrook",
    "Foxholes",
    "Gorsey Bank",
    "Hollinsend",
    "Ivybridge Road",
    "Juniper Rise",
    "Kingcup",
    "Larkfleet",
    "Millstream",
    "Nightingale Down",
    "Oxlip",
    "Primrose Vale",
    "Ridgeback",
    "Sandmartin",
    "Tansy Hill",
    "Windhover",
];
const SCHOOL_ENDS: [&str; 4] = ["Primary School", "Academy", "Infant School", "High School"];
const STREET: [&str; 20] = [
    "Bobbin",
    "Cartwheel",
    "Damson",
    "Farthing",
    "Gooseberry",
    "Hopkiln",
    "Jackdaw",
    "Lamplighter",
    "Mulberry",
    "Oasthouse",
    "Pepperpot",
    "Quince",
    "Ropewalk",
    "Saddler",
    "Tanyard",
    "Turnpike",
    "Verbena",
    "Wagtail",
    "Wherry",
    "Yarrow",
];
const STREET_ENDS: [&str; 5] = ["Lane", "Close", "Terrace", "Crescent", "Walk"];
const TOWN: [&str; 6] =
    ["Ottersea", "Coldbridge", "Brackenford", "Thornmere", "Port Aldren", "Saltmarket"];

/// Who writes, and of whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct People {
    /// First name of who writes.
    pub first: String,
    /// Family name of who writes.
    pub family: String,
    /// Where they write from.
    pub address: String,
    /// The child's first name.
    pub child: String,
    /// The school.
    pub school: String,
    /// Where they live: house and street.
    pub street: String,
    /// The town.
    pub town: &'static str,
}

impl People {
    /// Those of a matter; no two matters share an address.
    pub(super) fn of(number: usize, random: &mut Random) -> Self {
        let first = (*random.pick(&FIRST)).to_owned();
        let family = format!("{}{}", random.pick(&NAME_BEGINS), random.pick(&NAME_ENDS));
        let address =
            format!("{}.{}{number}@example.org", first.to_lowercase(), family.to_lowercase());
        let school = format!("{} {}", random.pick(&SCHOOL), random.pick(&SCHOOL_ENDS));
        let street = format!(
            "{} {} {}",
            random.between(1, 180),
            random.pick(&STREET),
            random.pick(&STREET_ENDS)
        );
        let child = (*random.pick(&CHILD)).to_owned();
        let town = *random.pick::<&str>(&TOWN);
        Self { first, family, address, child, school, street, town }
    }

    /// First and family name.
    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.family)
    }

    /// Every word of them that no mail to the council's own people may hold.
    pub fn private_words(&self) -> Vec<String> {
        let all =
            [&self.first, &self.family, &self.address, &self.child, &self.school, &self.street];
        let school = self.school.split_whitespace().next().unwrap_or_default().to_owned();
        let street = self.street.split_once(' ').map_or("", |(_, street)| street).to_owned();
        all.into_iter().cloned().chain([school, street, self.town.to_owned()]).collect()
    }
}

/// An elected member, as they sign.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) address: &'static str,
}

pub(super) const MEMBERS: [Member; 10] = [
    Member {
        name: "Gwenllian Prothero",
        title: "MP for Northmere East",
        address: "office@prothero-mp.example",
    },
    Member {
        name: "Barnaby Oduya",
        title: "MP for Northmere West",
        address: "casework@oduya-mp.example",
    },
    Member {
        name: "Sylvia Tranter",
        title: "MP for Port Aldren",
        address: "office@tranter-mp.example",
    },
    Member {
        name: "Hugo Lambourne",
        title: "MP for the Northmere Coast",
        address: "hugo@lambourne-mp.example",
    },
    Member {
        name: "Cllr Perdita Swann",
        title: "County Councillor for Ottersea",
        address: "perdita.swann@members.example",
    },
    Member {
        name: "Cllr Idris Kellaway",
        title: "County Councillor for Coldbridge",
        address: "idris.kellaway@members.example",
    },
    Member {
        name: "Cllr Mabel Furnival",
        title: "County Councillor for Brackenford",
        address: "mabel.furnival@members.example",
    },
    Member {
        name: "Cllr Osric Denholm",
        title: "County Councillor for Thornmere",
        address: "osric.denholm@members.example",
    },
    Member {
        name: "Cllr Tabitha Croome",
        title: "Borough Councillor for Saltmarket",
        address: "tabitha.croome@members.example",
    },
    Member {
        name: "Cllr Anselm Rook",
        title: "Parish Councillor for Coldbridge",
        address: "anselm.rook@members.example",
    },
];
