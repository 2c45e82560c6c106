import java.util.List;

public class Shop {
    record Item(String name, Integer price) {}

    static int total(List<Item> items) {
        return items.stream().mapToInt(item -> item.price()).sum();
    }

    public static void main(String[] args) {
        System.out.println("reading basket");
        total(List.of(new Item("tea", 3), new Item("milk", null)));
    }
}
