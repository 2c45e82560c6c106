public class Files {
    record Handle(String name) implements AutoCloseable {
        public void close() {
            throw new IllegalStateException("cannot close " + name, new RuntimeException("disk is gone"));
        }
    }

    static void copy() throws Exception {
        try (Handle in = new Handle("in"); Handle out = new Handle("out")) {
            throw new Exception("copy stopped");
        }
    }

    public static void main(String[] args) throws Exception {
        copy();
    }
}
