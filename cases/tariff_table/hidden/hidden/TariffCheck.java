package hidden;

import java.io.BufferedReader;
import java.io.StringReader;
import shop.tariffs.Parcel;
import shop.tariffs.Quotes;
import shop.tariffs.Table;
import shop.tariffs.TariffReader;

public final class TariffCheck {
    public static void main(String[] args) throws Exception {
        String rows = "HOME;2;390\neu;2;890\nEu;10;1290\nmoon;1;1\n";
        Table table = TariffReader.read(new BufferedReader(new StringReader(rows)));
        Quotes quotes = new Quotes(table);
        if (table.size() != 3 || quotes.quote(Parcel.parse("p EU 3")) != 1290
            || quotes.quote(Parcel.parse("p HOME 1")) != 390) {
            throw new AssertionError("tariffs");
        }
    }
}
