commit("2026-02-16 09:00", "Nils Aker", "Price parcels", {
"README.md": "# tariffs\n\nThe table first (`ZONE;KILOGRAMS;CENTS`), an empty line, then parcels (`ID ZONE KILOGRAMS`).\n",
".gitignore": "out/\n",
"src/shop/tariffs/Main.java": '''package shop.tariffs;

import java.io.BufferedReader;
import java.io.InputStreamReader;

public final class Main {
    public static void main(String[] args) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
        Table table = TariffReader.read(lines);
        Log.info("tariffs loaded: " + table.size() + " rows");
        Quotes quotes = new Quotes(table);
        for (String line; (line = lines.readLine()) != null; ) {
            Parcel parcel = Parcel.parse(line);
            Log.info("parcel " + parcel.id() + ": " + quotes.quote(parcel) + " cents");
        }
    }
}
''',
"src/shop/tariffs/Log.java": '''package shop.tariffs;

import java.time.Instant;

final class Log {
    static void info(String text) {
        System.out.println(Instant.now() + " INFO tariffs - " + text);
    }
}
''',
"src/shop/tariffs/Zone.java": '''package shop.tariffs;

public enum Zone {
    HOME, EU, WORLD;

    /** Null where there is no such zone. */
    static Zone named(String name) {
        for (Zone zone : values()) {
            if (zone.name().equals(name)) {
                return zone;
            }
        }
        return null;
    }
}
''',
"src/shop/tariffs/Parcel.java": '''package shop.tariffs;

public record Parcel(String id, Zone zone, int kilograms) {
    public static Parcel parse(String line) {
        String[] words = line.trim().split(" ");
        return new Parcel(words[0], Zone.valueOf(words[1]), Integer.parseInt(words[2]));
    }
}
''',
"src/shop/tariffs/Table.java": '''package shop.tariffs;

import java.util.EnumMap;
import java.util.Map;
import java.util.TreeMap;

public final class Table {
    private final Map<Zone, TreeMap<Integer, Integer>> rows = new EnumMap<>(Zone.class);
    private int size;

    void add(Zone zone, int kilograms, int cents) {
        rows.computeIfAbsent(zone, z -> new TreeMap<>()).put(kilograms, cents);
        size++;
    }

    /** Cents of the smallest class that holds the weight; null where none does. */
    Integer cents(Zone zone, int kilograms) {
        TreeMap<Integer, Integer> classes = rows.getOrDefault(zone, new TreeMap<>());
        Map.Entry<Integer, Integer> entry = classes.ceilingEntry(kilograms);
        return entry == null ? null : entry.getValue();
    }

    public int size() {
        return size;
    }
}
''',
"src/shop/tariffs/TariffReader.java": '''package shop.tariffs;

import java.io.BufferedReader;
import java.io.IOException;

public final class TariffReader {
    /** Reads rows up to an empty line; rows of zones that we do not serve are left out. */
    public static Table read(BufferedReader lines) throws IOException {
        Table table = new Table();
        for (String line; (line = lines.readLine()) != null && !line.isEmpty(); ) {
            String[] cells = line.split(";");
            Zone zone = Zone.named(cells[0].trim());
            if (zone == null) {
                continue;
            }
            table.add(zone, Integer.parseInt(cells[1].trim()), Integer.parseInt(cells[2].trim()));
        }
        return table;
    }
}
''',
"src/shop/tariffs/Quotes.java": '''package shop.tariffs;

public final class Quotes {
    private final Table table;

    public Quotes(Table table) {
        this.table = table;
    }

    public int quote(Parcel parcel) {
        int base = table.cents(parcel.zone(), parcel.kilograms());
        return parcel.zone() == Zone.WORLD ? base + 250 : base;
    }
}
'''})
commit("2026-03-02 11:00", "Nils Aker", "Say what a class of weight is", {"README.md": "# tariffs\n\nThe table first (`ZONE;KILOGRAMS;CENTS`), an empty line, then parcels (`ID ZONE KILOGRAMS`).\nA row holds for weights up to its kilograms.\n"})
commit("2026-04-21 10:00", "Rosa Engel", "Spaces around cells are fine", {"README.md": "# tariffs\n\nThe table first (`ZONE;KILOGRAMS;CENTS`, spaces are fine), an empty line, then parcels\n(`ID ZONE KILOGRAMS`). A row holds for weights up to its kilograms.\n"})
commit("2026-06-15 09:45", "Rosa Engel", "Own the sources", {"OWNERS": "nils\nrosa\n"})
commit("2026-10-08 14:20", "Nils Aker", "Ignore the editor's files", {".gitignore": "out/\n.idea/\n"})
commit("2026-11-13 11:10", "Rosa Engel", "Log the number of rows first", {
"src/shop/tariffs/Main.java": ('"tariffs loaded: " + table.size() + " rows"', '"loaded " + table.size() + " tariff rows"')})
right({"src/shop/tariffs/TariffReader.java": ("Zone.named(cells[0].trim())", "Zone.named(cells[0].trim().toUpperCase(java.util.Locale.ROOT))")})
run("java -cp /tmp/tariffs-out shop.tariffs.Main", "HOME;2;390\nHOME;10;690\neu;2;890\neu;10;1290\nWORLD;10;2990\n\np1 HOME 1\np2 WORLD 4\np3 HOME 9\np4 EU 3\n", build="javac -d /tmp/tariffs-out $(find src -name '*.java')")
