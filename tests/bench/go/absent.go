package main

func rates() {
}
