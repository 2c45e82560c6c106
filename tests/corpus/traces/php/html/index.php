<?php
function page(array $parts) {
    return strlen($parts);
}
page([1]);
